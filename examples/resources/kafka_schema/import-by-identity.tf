import {
  to = kafka_schema.orders
  identity = {
    cluster_id = "MkU3OEVBNTcwNTJENDM2Qg"
    subject    = "billing.orders.v1-value"
  }
}
