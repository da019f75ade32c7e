Feature: Signing baskets
  Several things that wait for the PSU are confirmed with one signature, or not at all.

  Background:
    Given a PISP and AISP, and two people of the same bank

  @BG-8
  Scenario: Two payments under one signature
    When the payer signs a basket with payments of 5.00 EUR and 7.00 EUR to the payee
    Then both payments are settled
    And the payer has 12.00 EUR less

  @BG-8
  Scenario: An unsigned basket moves nothing
    When a basket with payments of 5.00 EUR and 7.00 EUR to the payee is made and not signed
    Then both payments are only received
    And nobody's balance has changed
