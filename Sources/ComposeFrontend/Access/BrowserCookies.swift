import Crypto
import Foundation
import Hummingbird
import Identity

/// The cookies of a browser that looks at the pages. No other part of the service reads cookies.
struct BrowserCookies: Sendable {
    /// Whether the browser reaches the service by TLS. A name that begins with `__Host-` is accepted for
    /// such a host alone, and no other host of the domain can set it.
    let isSecure: Bool

    /// - Parameter serverURL: The configured address of the service.
    init(serverURL: String) { isSecure = serverURL.lowercased().hasPrefix("https://") }

    var session: String { isSecure ? "__Host-odcs" : "odcs-session" }
    var form: String { isSecure ? "__Host-odcs-form" : "odcs-form" }
    var login: String { isSecure ? "__Host-odcs-login" : "odcs-login" }

    /// Returns the value of a cookie. Returns `nil` for no cookie, several, or one with other characters
    /// than this service has set.
    func value(_ name: String, of request: Request) -> String? {
        let found = request.headers[values: .cookie].flatMap { $0.split(separator: ";") }.compactMap { pair -> Substring? in
            let parts = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.count == 2 && parts[0] == name ? parts[1] : nil
        }
        guard found.count == 1, let value = found.first, value.utf8.count <= 4000,
            value.utf8.allSatisfy({ $0.isASCIIAlphanumeric || "-_.%".utf8.contains($0) })
        else { return nil }
        return String(value)
    }

    /// Returns the value of `Set-Cookie`.
    ///
    /// - Parameter seconds: The life of the cookie. `nil` to keep it until the browser ends, and 0 to
    ///   remove it.
    func setting(_ name: String, to value: String, seconds: Int? = nil) -> String {
        let life = seconds.map { "; Max-Age=\($0)" } ?? ""
        return "\(name)=\(value); Path=/; HttpOnly; SameSite=Lax\(isSecure ? "; Secure" : "")\(life)"
    }
}

/// The key of the forms of one browser: its session, or a number that it was given for this purpose. A
/// page of another site does not know it, so it cannot make a form that is accepted.
struct FormKey: Sendable {
    private let key: SymmetricKey
    /// The value of `Set-Cookie`, if the browser has no number yet.
    let cookie: String?

    init(_ request: Request, _ context: FrontendContext, _ cookies: BrowserCookies) {
        let known = context.subject.session?.text ?? cookies.value(cookies.form, of: request)
        let text = known ?? Self.random()
        key = SymmetricKey(data: Data(text.utf8))
        cookie = known == nil ? cookies.setting(cookies.form, to: text) : nil
    }

    /// Creates the key that a browser has.
    init(text: String) {
        key = SymmetricKey(data: Data(text.utf8))
        cookie = nil
    }

    /// Returns the token of the form that is sent to a path.
    func token(for path: String) -> String {
        HMAC<SHA256>.authenticationCode(for: Data("form \(path)".utf8), using: key).base64URL
    }

    /// Whether a token is that of the form for a path. A browser without a key has no forms.
    func accepts(_ token: String, for path: String) -> Bool {
        guard cookie == nil, let code = Data(base64URL: token) else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Data("form \(path)".utf8), using: key)
    }

    /// Returns 256 random bits as text.
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }.base64URL
    }
}

extension Sequence<UInt8> {
    /// The bytes in base64 for URLs, without padding.
    var base64URL: String {
        Data(self).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

extension Data {
    /// Reads base64 for URLs without padding.
    init?(base64URL text: String) {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        self.init(base64Encoded: text.replacing("-", with: "+").replacing("_", with: "/") + padding)
    }
}
