Feature: A TPP does what its authority has authorised
  The roles stand in the certificate; the bank's own register is not asked to grant more.

  @TS119495-5.1 @RTS-34.3
  Scenario Outline: <kind> can't <deed>
    Given a registered <kind>
    When it tries to <deed>
    Then the request is refused because the certificate does not grant the role

    Examples:
      | kind  | deed                       |
      | AISP  | initiate a payment         |
      | AISP  | ask for funds confirmation |
      | PISP  | ask for a consent          |
      | CBPII | initiate a payment         |

  @TS119495-5.1
  Scenario: A certificate with another role than the TPP is registered with
    Given a registered AISP
    When it tries to ask for a consent with a wrong-role certificate
    Then the request is refused because the certificate does not grant the role

  @RFC6749-3.3 @BG-13.1
  Scenario: A token for one service does not open another
    Given a CBPII and AISP with an authorised consent to confirm funds
    When it reads the accounts with that token
    Then access is refused because the token is for another service
