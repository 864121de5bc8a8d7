# In the configuration of the team that owns what is asked for, whose pipeline sets
# `KAFKA_ACTING_APPLICATION=billing` or has credentials of its own.
#
# Requests are listed one by one. A `for_each` over those that are pending would drop
# each when it is approved, and so revoke it.
resource "kafka_access_decision" "shipping_reads_invoices" {
  request_id = "shipping-1a2b3c4d"
  revision   = "00112233445566778899aabbccddeeff" # what was looked at
  decision   = "approve"
  reason     = "They deliver what was paid."
}
