resource "kafka_schema" "address" {
  subject = "billing.Address"
  schema = jsonencode({
    type      = "record"
    name      = "Address"
    namespace = "billing"
    fields    = [{ name = "city", type = "string" }]
  })
}

resource "kafka_schema" "orders" {
  subject       = "billing.orders.v1-value"
  compatibility = "FULL_TRANSITIVE"
  schema = jsonencode({
    type      = "record"
    name      = "Order"
    namespace = "billing"
    fields = [
      { name = "id", type = "string" },
      { name = "to", type = "billing.Address" },
    ]
  })

  # A new version of the address is referred to in the same run.
  references = [{
    name    = "billing.Address"
    subject = kafka_schema.address.subject
    version = kafka_schema.address.version
  }]
}
