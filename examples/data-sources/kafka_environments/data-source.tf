data "kafka_environments" "europe" {
  labels = { region = "eu" }
}

# The same topic in each of them.
resource "kafka_topic" "orders" {
  for_each = toset(data.kafka_environments.europe.ids)

  environment = each.key
  name        = "billing.orders.v1"
}
