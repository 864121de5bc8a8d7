# Two programs read and write whatever begins with `billing.`.
resource "kafka_acl" "billing" {
  resource_type = "topic"
  resource_name = "billing."
  pattern_type  = "prefixed"

  principals = ["User:billing", "User:billing-batch"]
  operations = ["READ", "WRITE"]
}
