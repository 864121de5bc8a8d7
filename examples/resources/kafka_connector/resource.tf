resource "kafka_connector" "orders" {
  name = "billing.orders-file"

  config = {
    "connector.class" = "org.apache.kafka.connect.file.FileStreamSinkConnector"
    "tasks.max"       = "1"
    "topics"          = "billing.orders.v1"
    "file"            = "/var/tmp/billing.orders.v1.txt"
  }
}
