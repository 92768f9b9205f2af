import ForeignText
import Foundation
public import Identity
public import Logging
public import NIOPosix

/// A Kerberos provider recognizes senders by tickets, as browsers and the published client send them:
/// `Authorization: Negotiate TOKEN` (RFC 4559).
///
/// The answer of the service is in the reply, so the client can check that it talks to the right
/// service. One token must suffice. GSSAPI blocks, so it runs on a thread pool.
public struct KerberosProvider: IdentityProvider {
    /// The maximum length of a token. A ticket with the group list of a Windows domain has up to 64 KiB.
    static let mostBytes = 65_536

    public let name = "kerberos"
    public let challenge: String? = "Negotiate"
    private let keytab: Keytab
    private let realms: KerberosRealms
    private let threadPool: NIOThreadPool
    private let logger: Logger
    private let pace: LogPace

    /// - Parameter threadPool: A pool of its own. Two threads suffice for thousands of tokens a second.
    public init(keytab: Keytab, realms: KerberosRealms, threadPool: NIOThreadPool, logger: Logger, pace: LogPace = LogPace()) {
        self.keytab = keytab
        self.realms = realms
        self.threadPool = threadPool
        self.logger = logger
        self.pace = pace
    }

    public func identity(_ credentials: Credentials) async throws(CredentialFailure) -> Identity? {
        guard case .negotiate(let token) = credentials.authorization else { return nil }
        guard token.count <= Self.mostBytes else {
            throw .malformed("The token after Negotiate is longer than \(Self.mostBytes) bytes.")
        }
        let acceptance = try await accept(token)
        guard let principal = KerberosPrincipal(acceptance.principal) else {
            log("name", "a Kerberos principal has a name that no account can have", acceptance.principal)
            throw .forbidden("The name of your Kerberos principal has a backslash or a second @. It cannot be an account of this service.")
        }
        let account: AccountName
        do { account = try realms.account(of: principal) } catch {
            log("realm", "a Kerberos principal may not use the service", acceptance.principal)
            throw error
        }
        var identity = Identity(account: account, provider: name)
        if !acceptance.answer.isEmpty {
            identity.replyHeaders["WWW-Authenticate"] = "Negotiate \(Data(acceptance.answer).base64EncodedString())"
        }
        return identity
    }

    private func accept(_ token: [UInt8]) async throws(CredentialFailure) -> AcceptorCredential.Acceptance {
        let outcome: Result<AcceptorCredential.Acceptance, any Error>
        do {
            outcome = .success(try await threadPool.runIfActive { [keytab] in try keytab.credential().accept(token) })
        } catch {
            outcome = .failure(error)
        }
        switch outcome {
        case .success(let acceptance): return acceptance
        case .failure(let refusal as AcceptorCredential.Refusal): throw failure(of: refusal)
        case .failure(let error):
            // The keytab is the operator's matter. The client has to keep its tickets.
            log("keytab", "Kerberos tickets cannot be checked", "\(error)")
            throw .unavailable("The service cannot check Kerberos tickets now.", retryAfter: 30)
        }
    }

    private func failure(of refusal: AcceptorCredential.Refusal) -> CredentialFailure {
        switch refusal {
        case .furtherRounds:
            log("rounds", "a login with Kerberos was refused", "the exchange needs more than one token")
            return .wrong("The login with Negotiate needs more than one round, and this service allows one. Log in with a Kerberos ticket.")
        case .otherMechanism:
            log("mechanism", "a login with Kerberos was refused", "the token is not of Kerberos")
            return .wrong("The token after Negotiate is not a Kerberos ticket.")
        case .problem(let problem):
            let (kind, sentence) = Self.explanation(of: problem)
            log(kind, "a login with Kerberos was refused", problem.description)
            return .wrong(sentence)
        }
    }

    /// Returns the kind of a problem, and the sentence for the client.
    private static func explanation(of problem: GSSProblem) -> (kind: String, sentence: String) {
        if problem.says("Clock skew too great") || problem.says("Ticket not yet valid") {
            return ("clock", "Your clock and the clock of the service differ too much for Kerberos. Set your clock.")
        }
        if problem.says("Ticket expired") {
            return ("expired", "Your Kerberos ticket has expired. Get another one with kinit.")
        }
        if problem.says("Request is a replay") {
            return ("replay", "This Kerberos token was used before. Make a new one for each request.")
        }
        return (
            "ticket",
            "The token after Negotiate is not a Kerberos ticket for this service. If your ticket is older than the service's key, run kdestroy and kinit."
        )
    }

    private func log(_ kind: String, _ message: Logger.Message, _ reason: String) {
        guard let passedOver = pace.next(kind) else { return }
        logger.warning(
            message, metadata: ["provider": "\(name)", "reason": "\(reason.printable(most: 500))", "passed_over": "\(passedOver)"])
    }
}
