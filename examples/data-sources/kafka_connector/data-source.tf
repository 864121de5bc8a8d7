data "kafka_connector" "orders" {
  environment = "dev"
  name        = "billing.orders-file"
}

output "orders" {
  value = "${data.kafka_connector.orders.status}, with ${length(data.kafka_connector.orders.tasks)} task"
}
