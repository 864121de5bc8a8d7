locals {
  shipping = provider::kafka::acl_preset("consumer", {
    topic = "billing.invoices.v1"
    group = "shipping.*" # every group that begins so
  })
}

resource "kafka_acl" "shipping" {
  for_each = { for it in local.shipping : "${it.resource_type} ${it.resource_name}" => it }

  resource_type = each.value.resource_type
  resource_name = each.value.resource_name
  pattern_type  = each.value.pattern_type
  operations    = each.value.operations
  principals    = ["User:shipping"]
}
