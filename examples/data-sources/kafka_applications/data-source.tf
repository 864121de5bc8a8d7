data "kafka_applications" "waiting" {
  environment = "dev"
  status      = "pending"
}

output "waiting_for_approval" {
  value = data.kafka_applications.waiting.names
}
