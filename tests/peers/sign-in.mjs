// Signs in with amazon-cognito-identity-js, a client of other authors.
//
//     node sign-in.mjs FOLDER < CONVERSATION
//
// FOLDER holds node_modules. The first line of standard input is JSON: endpoint, user_pool_id, client_id, username,
// password, and flow. For each thing that happens a line of JSON is printed; each challenge is answered with the next line.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.argv[2]}/`);
const { AuthenticationDetails, CognitoUser, CognitoUserPool } = require("amazon-cognito-identity-js");

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => (await lines.next()).value;
const tell = (event, more) => console.log(JSON.stringify({ event, ...more }));
const end = (event, more) => {
  tell(event, more);
  process.exit(0);
};

const given = JSON.parse(await next());
const pool = new CognitoUserPool({
  UserPoolId: given.user_pool_id,
  ClientId: given.client_id,
  endpoint: given.endpoint,
});
const user = new CognitoUser({ Username: given.username, Pool: pool });
user.setAuthenticationFlowType(given.flow);

const asked = (answer) => async (name, parameters) => {
  tell("asked", { name, parameters });
  answer(await next(), name);
};
const code = asked((line, name) => user.sendMFACode(line, reactions, name, given.metadata));
const reactions = {
  onSuccess: (session) => end("in", { access: session.getAccessToken().getJwtToken(), username: user.getUsername() }),
  onFailure: (error) => end("refused", { name: error.name, message: error.message }),
  newPasswordRequired: (attributes, required) => end("new password", { attributes, required }),
  mfaRequired: code,
  totpRequired: code,
  selectMFAType: asked((line) => user.sendMFASelectionAnswer(line, reactions)),
};
user.authenticateUser(
  new AuthenticationDetails({
    Username: given.username,
    Password: given.password,
    ClientMetadata: given.metadata,
  }),
  reactions,
);
