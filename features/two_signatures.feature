Feature: Two signatures
  Where a company's account takes two signatures, one moves nothing.

  Background:
    Given a PISP, and a company whose account takes two signatures

  @BG-4.14
  Scenario: One signature is half of it
    When the first signatory confirms a payment of 12.34 EUR to the payee
    Then the payment waits for another signature

  @BG-4.14
  Scenario: The second signature completes it
    Given a payment of 12.34 EUR to the payee with one signature
    When the second signatory confirms it in the bank's app
    Then the payment is settled

  @BG-4.14
  Scenario: The second signatory can refuse
    Given a payment of 12.34 EUR to the payee with one signature
    When the second signatory refuses it in the bank's app
    Then the payment is rejected

  @BG-4.14
  Scenario: Nobody signs twice
    Given a payment of 12.34 EUR to the payee with one signature
    When the first signatory tries to sign once more
    Then it is refused
    And the payment waits for another signature
