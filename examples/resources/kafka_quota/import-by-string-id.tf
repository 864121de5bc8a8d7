import {
  to = kafka_quota.reports
  id = "dev/user=billing-reports,client-id=monthly"
}
