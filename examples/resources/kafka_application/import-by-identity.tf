import {
  to = kafka_application.billing
  identity = {
    cluster_id = "MkU3OEVBNTcwNTJENDM2Qg"
    name       = "billing"
  }
}
