# The environment, and whom the quota is for.
terraform import kafka_quota.reports dev/user=billing-reports,client-id=monthly
