# The environment and the name of the application.
terraform import kafka_application.billing dev/billing
