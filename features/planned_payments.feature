Feature: Payments of another day
  What is ordered for later is paid on its day, once, and can be cancelled until then.

  Background:
    Given a PISP and AISP with a bank of its own, and two people there

  @BG-5.3
  Scenario: A payment waits for its day
    When the payer confirms a payment of 12.34 EUR to the payee for in 5 days
    Then the payment waits for its day
    And nobody's balance has changed

  @BG-5.3
  Scenario: On its day it is paid
    Given a confirmed payment of 12.34 EUR to the payee for in 5 days
    When 5 days pass
    Then the payment is settled
    And the payer has 12.34 EUR less
    And the payee has 12.34 EUR more

  @BG-5.6
  Scenario: Cancelled in time it is never paid
    Given a confirmed payment of 12.34 EUR to the payee for in 5 days
    And the payer has confirmed its cancellation
    When 6 days pass
    Then the payment is cancelled
    And nobody's balance has changed

  @BG-5.6
  Scenario: A wish to cancel that the payer does not confirm changes nothing
    Given a confirmed payment of 12.34 EUR to the payee for in 5 days
    And the TPP has asked to cancel it, and the payer has not confirmed
    When 5 days pass
    Then the payment is settled
    And the payer has 12.34 EUR less

  @BG-5.6
  Scenario: What is paid can't be cancelled
    Given a confirmed payment of 12.34 EUR to the payee for in 1 days
    And 1 days have passed
    When the TPP asks to cancel the payment
    Then access is refused because it is too late to cancel

  @BG-5.3
  Scenario: A day in the past is refused
    When the TPP orders a payment of 12.34 EUR to the payee for yesterday
    Then access is refused because the day of execution can't be had

  @BG-5.3
  Scenario: A standing order pays every month until its end
    Given a confirmed standing order of 10.00 EUR to the payee every month, three times
    When 200 days pass
    Then the payer has 30.00 EUR less
    And the payee has 30.00 EUR more

  @BG-5.3
  Scenario: Several payments, confirmed once
    When the payer confirms payments of 1.00 EUR, 2.00 EUR and 3.50 EUR to the payee at once
    Then the payment is settled
    And the payer has 6.50 EUR less
    And the payee has 6.50 EUR more

  @BG-5.3
  Scenario: Of several payments only those are made that the account covers
    When the payer confirms payments of 1.00 EUR, 2.00 EUR and 9999999.00 EUR to the payee at once
    Then the payment is made in part
    And the payer has 3.00 EUR less
