Feature: Payments
  A payment that the PSU confirms moves money: out of the payer's account, into the payee's.

  Background:
    Given a PISP and AISP, and two people of the same bank

  @BG-5.3
  Scenario: A confirmed payment arrives
    When the payer confirms a payment of 12.34 EUR to the payee
    Then the payment is settled
    And the payer has 12.34 EUR less
    And the payee has 12.34 EUR more

  @RTS-5 @RTS-97
  Scenario: The payer sees whom and how much it pays, on the page and in the message
    When the payer is asked at the bank to confirm a payment of 12.34 EUR to the payee
    Then the bank's page names the payee and 12.34 EUR
    And the message with the one-time password names the payee and 12.34 EUR

  @BG-5.3 @RTS-97
  Scenario: A refused payment moves nothing
    When the payer refuses a payment of 12.34 EUR to the payee
    Then the payment is rejected
    And nobody's balance has changed

  @BG-5.3
  Scenario: A payment that nobody has confirmed moves nothing
    When a payment of 12.34 EUR to the payee is initiated and not confirmed
    Then the payment is only received
    And nobody's balance has changed

  @BG-5.3
  Scenario: A payment without cover is rejected
    When the payer confirms a payment of 9999999.00 EUR to the payee
    Then the payment is rejected
    And nobody's balance has changed

  @BG-4.9
  Scenario: The same request sent twice pays once
    When the payer's TPP sends the same payment of 12.34 EUR twice and the payer confirms it
    Then both answers speak of the same payment
    And the payer has 12.34 EUR less
