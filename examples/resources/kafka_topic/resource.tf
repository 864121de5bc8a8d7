resource "kafka_topic" "orders" {
  name       = "billing.orders.v1"
  partitions = 6

  config = {
    "cleanup.policy" = "delete"
    "retention.ms"   = "604800000" # seven days
  }

  # A plan that would delete the topic and its data is refused.
  deletion_protection = true
}
