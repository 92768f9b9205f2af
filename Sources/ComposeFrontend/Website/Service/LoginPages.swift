import ComposeStore
import Crypto
import ForeignText
import Foundation
import HTTPTypes
import Hummingbird
import Identity

/// The login and the logout of people at the pages.
///
/// The login goes to an OpenID provider and comes back with a code. If none is configured, the ticket
/// that the browser has begins the session.
struct LoginPages: Sendable {
    /// The time that a person has for the login.
    private static let loginSeconds = 600

    let pages: WebPages
    let store: ComposeStore
    let access: AccessControl

    private var configuration: FrontendConfiguration { pages.configuration }

    var resources: [Resource] {
        [
            Resource("/login", [.get: .unguarded(begin)]),
            Resource("/login/return", [.get: .unguarded(complete)]),
            Resource("/logout", [.post: .form(.known, logout)]),
        ]
    }

    private func begin(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let page = try Self.page(in: request)
        guard let login = configuration.login else { return try await beginByTicket(page, request, context) }
        let secret = FormKey.random()
        let address: String
        do throws(CredentialFailure) {
            address = try await login.address(of: browserLogin(secret, request))
        } catch {
            throw rejection(error)
        }
        var response = Response(status: .seeOther, headers: [.location: address, .cacheControl: "no-store"])
        // The browser keeps the page that it comes from together with the secret.
        let value = "\(secret).\(page.percentEncoded)"
        guard value.utf8.count <= 3000 else { throw RequestRejection.badRequest("return_to is too long.") }
        response.headers.append(
            HTTPField(name: .setCookie, value: access.cookies.setting(access.cookies.login, to: value, seconds: Self.loginSeconds)))
        return response
    }

    /// Begins the session of a person whom the credentials of the request show, for example a ticket.
    private func beginByTicket(_ page: String, _ request: Request, _ context: FrontendContext) async throws -> Response {
        guard let chain = configuration.access.chain, configuration.hasWebLogin else {
            throw RequestRejection(.notFound, "People cannot log in here. The setting frontend.login names the provider for it.")
        }
        guard let sender = try await access.sender(of: request, context) else {
            throw chain.unauthorized(.noCredentials, "Your browser has shown no ticket. Get one, for example with kinit, and try again.")
        }
        context.subject.sender = sender
        guard sender.token == nil, sender.workload == nil, sender.isKnown else {
            throw RequestRejection(.forbidden, .token, "An API token or a workload cannot log in to the pages.")
        }
        return try await session(of: sender, leadingTo: page, request, context)
    }

    private func complete(_ request: Request, _ context: FrontendContext) async throws -> Response {
        guard let login = configuration.login else {
            throw RequestRejection(.notFound, "People cannot log in here. The setting frontend.login names the provider for it.")
        }
        let again = "Log in again."
        guard let value = access.cookies.value(access.cookies.login, of: request), let dot = value.firstIndex(of: ".") else {
            throw RequestRejection.badRequest("Your browser did not begin this login, or it began too long ago. \(again)")
        }
        let begun = browserLogin(String(value[..<dot]), request)
        let page = Self.safePage(String(value[value.index(after: dot)...]).removingPercentEncoding)
        let items = try QueryItems(request.uri.query).items
        func last(_ key: String) -> String? { items.last { $0.key == key }?.value }
        guard let state = last("state"), state.hasSameBytes(as: begun.state) else {
            throw RequestRejection.badRequest("This login is not the one that your browser began. \(again)")
        }
        if let error = last("error") {
            throw RequestRejection(.forbidden, .wrongCredentials, "The provider did not log you in: \(error.shown(100)). \(again)")
        }
        guard let code = last("code"), code.utf8.count <= 4000 else {
            throw RequestRejection.badRequest("The provider sent no code. \(again)")
        }
        let person: Identity
        do throws(CredentialFailure) {
            person = try await login.person(with: Secret(code), of: begun)
        } catch {
            throw rejection(error)
        }
        context.subject.sender = person
        return try await session(of: person, leadingTo: page, request, context)
    }

    private func session(
        of person: Identity, leadingTo page: String, _ request: Request, _ context: FrontendContext
    ) async throws -> Response {
        let text = FormKey.random()
        try await store.beginSession(Secret(text), of: person)
        // The audit has an entry of each login.
        context.subject.hasWritten = true
        var response = pages.redirect(to: page)
        for cookie in [
            access.cookies.setting(access.cookies.session, to: text), access.cookies.setting(access.cookies.login, to: "", seconds: 0),
        ] {
            response.headers.append(HTTPField(name: .setCookie, value: cookie))
        }
        return response
    }

    private func logout(_ request: Request, _ form: SentForm, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        if let session = context.subject.session { try await store.endSession(session) }
        var response = pages.redirect(to: "/")
        response.headers.append(
            HTTPField(name: .setCookie, value: access.cookies.setting(access.cookies.session, to: "", seconds: 0)))
        return response
    }

    /// Returns the login that a browser's secret stands for. State, nonce and verifier are made from the
    /// secret, so the cookie is all that has to be kept.
    private func browserLogin(_ secret: String, _ request: Request) -> BrowserLogin {
        func derived(_ name: String) -> String {
            HMAC<SHA256>.authenticationCode(for: Data(name.utf8), using: SymmetricKey(data: Data(secret.utf8))).base64URL
        }
        return BrowserLogin(
            returnAddress: PublicURLs(configuration, request).base + "/login/return", state: derived("state"), nonce: derived("nonce"),
            verifier: Secret(derived("verifier")))
    }

    private func rejection(_ failure: CredentialFailure) -> RequestRejection {
        configuration.access.chain?.rejection(failure) ?? RequestRejection(.serviceUnavailable, failure.message)
    }

    private static func page(in request: Request) throws -> String {
        safePage(try QueryItems(request.uri.query).items.last { $0.key == "return_to" }?.value)
    }

    /// Returns a path of this service, or the first page for anything else. A path with two slashes at its
    /// beginning would lead a browser to another host, and browsers take a backslash for a slash.
    static func safePage(_ text: String?) -> String {
        guard let text, text.hasPrefix("/"), !text.hasPrefix("//"), text.utf8.count <= 2000,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") })
        else { return "/" }
        return text
    }
}
