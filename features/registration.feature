Feature: A TPP is registered
  A firm that its national authority has authorised comes in with its authorisation number, and leaves with
  certificates, a place of its own at the bank, and people who bank there.

  @TS119495-5.1
  Scenario: It receives a website and a seal certificate that say who it is and what it may do
    When an AISP and PISP registers
    Then its website certificate and its seal certificate carry its authorisation number
    And they grant the roles AISP and PISP, by the authority BaFin
    And its private keys are for its own eyes

  Scenario: The bank has people in it
    When an AISP and PISP registers
    Then people bank there, with accounts

  @TS119495-5.2.1
  Scenario Outline: A number that is no authorisation number is refused with what would be right
    When a firm registers with the number <number>
    Then it is told that <complaint>

    Examples:
      | number               | complaint                    |
      | DE-BAFIN-100001      | does not start with PSD      |
      | PSDDE-BAFIN          | has 2 of the 3 parts         |

  Scenario: Two firms can't share a number
    Given a registered TPP
    When another firm registers with its number
    Then it is told that the number is taken

  @BG-11
  Scenario: Firms see their own people only
    Given two registered TPPs
    When each asks who banks there
    Then no account of the one is an account of the other
