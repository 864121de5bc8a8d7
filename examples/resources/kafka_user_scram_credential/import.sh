# The environment, the name of the user and the mechanism.
terraform import kafka_user_scram_credential.billing dev/billing-app/SCRAM-SHA-512
