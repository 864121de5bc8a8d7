import {
  to = kafka_topic.orders
  id = "dev/billing.orders.v1"
}
