import {
  to = kafka_connector.orders
  id = "dev/main/billing.orders-file"
}
