import {
  to = kafka_connector.orders
  identity = {
    cluster_id = "MkU3OEVBNTcwNTJENDM2Qg"
    connect    = "main"
    name       = "billing.orders-file"
  }
}
