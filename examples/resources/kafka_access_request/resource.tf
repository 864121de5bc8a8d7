# In the configuration of the team that asks. The owner of the topic decides in theirs.
resource "kafka_access_request" "invoices" {
  application   = "shipping" # or `kafka_application.shipping.id`, if it is declared here
  resource_type = "topic"
  resource_name = "billing.invoices.v1"
  access        = "read"

  justification = "Parcels leave the house once they are paid."
  ticket        = "OPS-4711"
  expires_at    = "2099-03-31T00:00:00Z"
}

# What the owner needs to know.
output "request" {
  value = {
    request_id = kafka_access_request.invoices.request_id
    revision   = kafka_access_request.invoices.revision
  }
}
