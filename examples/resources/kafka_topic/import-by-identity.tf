import {
  to = kafka_topic.orders
  identity = {
    cluster_id = "MkU3OEVBNTcwNTJENDM2Qg"
    name       = "billing.orders.v1"
  }
}
