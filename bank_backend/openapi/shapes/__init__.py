"""What the bank answers, as types: each is a schema of the OpenAPI document, against which every answer in a test is held."""
