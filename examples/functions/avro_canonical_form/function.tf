locals {
  canonical = provider::kafka::avro_canonical_form(jsonencode({
    type   = "record", namespace = "billing", name = "Order", doc = "An order."
    fields = [{ name = "id", type = { type = "string" } }]
  }))
}

output "fingerprint" {
  value = local.canonical.crc_64_avro
}
