import {
  to = kafka_schema.orders
  id = "dev/billing.orders.v1-value"
}
