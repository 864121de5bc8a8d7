resource "kafka_application" "billing" {
  name = "billing"

  owner = {
    team    = "payments"
    contact = "payments@example.org"
  }

  # Whoever runs as this user reads and writes the topics under the application's prefix, and nothing else.
  principals = ["User:billing"]

  client_quota = {
    producer_byte_rate_per_broker = 10485760 # 10 MiB/s
  }
}
