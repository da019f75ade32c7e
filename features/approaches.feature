Feature: Confirming without a browser
  A bank may let the TPP pass on what the PSU proves itself with, or ask the PSU in its own app.

  Background:
    Given a PISP and AISP, and two people of the same bank

  @BG-7.2 @BG-7.3 @RTS-97
  Scenario: The TPP passes on the password and the code
    When the payer confirms a payment of 12.34 EUR to the payee through the TPP
    Then the payment is settled
    And the payer has 12.34 EUR less

  @BG-7.3 @RTS-97
  Scenario: A wrong code confirms nothing
    When the TPP passes on a wrong code for a payment of 12.34 EUR to the payee
    Then access is refused because the code is wrong
    And the payment is only received
    And nobody's balance has changed

  @BG-7.2
  Scenario: A wrong password leads nowhere
    When the TPP passes on a wrong password for a payment of 12.34 EUR to the payee
    Then access is refused because the PSU is not who it says
    And the payment is only received

  @RTS-5
  Scenario: The code is sent with amount and payee
    When the TPP asks for a code for a payment of 12.34 EUR to the payee
    Then the message with the one-time password names the payee and 12.34 EUR

  @BG-7.5 @RTS-97
  Scenario: The PSU confirms in the bank's app
    When the payer confirms a payment of 12.34 EUR to the payee in the bank's app
    Then the payment is settled
    And the payer has 12.34 EUR less

  @BG-7.5
  Scenario: The PSU refuses in the bank's app
    When the payer refuses a payment of 12.34 EUR to the payee in the bank's app
    Then the payment is rejected
    And nobody's balance has changed
