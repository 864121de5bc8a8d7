import {
  to = kafka_quota.reports
  identity = {
    cluster_id = "MkU3OEVBNTcwNTJENDM2Qg"
    entity     = "user=billing-reports,client-id=monthly"
  }
}
