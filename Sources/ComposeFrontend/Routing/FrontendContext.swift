import Hummingbird
import Identity
import Logging
import NIOCore
import Synchronization

/// The context of one request.
struct FrontendContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let subject = RequestSubject()
    private let channel: any Channel
    /// The verified certificate of the client. `nil` if the connection has none.
    let certificate: ClientCertificate?
    /// The address of the other end of the connection. `nil` if there is no connection, as in some tests.
    var peer: SocketAddress? { channel.remoteAddress }

    /// Whether the sender is one account. It is not if the service asks for no credentials.
    var isSenderKnown: Bool { subject.sender?.isKnown == true }

    /// The id that the log lines of this request have. A log handler that keeps no metadata has none.
    var requestID: String { logger[metadataKey: "hb.request.id"]?.description ?? "(none)" }

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
        certificate = ClientCertificateHandler.certificate(of: source.channel)
    }

    /// Returns the id of the compose that the path names.
    ///
    /// - Throws: ``RequestRejection`` with status 404 if the name is not a number, because no compose can
    ///   have such a name.
    func composeID() throws(RequestRejection) -> Int {
        let (text, id) = number
        guard let id else { throw .noSuchCompose(text) }
        subject.composeID = id
        return id
    }

    /// Returns the id of the watch that the path names.
    ///
    /// - Throws: ``RequestRejection`` with status 404 if the name is not a number, because no watch can
    ///   have such a name.
    func watchID() throws(RequestRejection) -> Int {
        let (text, id) = number
        guard let id else { throw .noSuchWatch(text) }
        subject.watchID = id
        return id
    }

    /// Returns the id of the image that the path names.
    ///
    /// - Throws: ``RequestRejection`` with status 404 if the name is not a number.
    func imageID() throws(RequestRejection) -> Int {
        let (text, id) = number
        guard let id else { throw .noSuchImage(text) }
        subject.imageID = id
        return id
    }

    /// Returns the id of the build that the path names.
    ///
    /// - Throws: ``RequestRejection`` with status 404 if the name is not a number.
    func buildID() throws(RequestRejection) -> Int {
        let (text, id) = number
        guard let id else { throw .noSuchBuild(text) }
        subject.buildID = id
        return id
    }

    /// Returns the id of the rebuild that the path names.
    ///
    /// - Throws: ``RequestRejection`` with status 404 if the name is not a number.
    func rebuildID() throws(RequestRejection) -> Int {
        let (text, id) = number
        guard let id else { throw .noSuchRebuild(text) }
        subject.rebuildID = id
        return id
    }

    /// Returns the id of the rule that the path names.
    ///
    /// - Throws: ``RequestRejection`` with status 404 if the name is not a number.
    func ruleID() throws(RequestRejection) -> Int {
        let (text, id) = number
        guard let id else { throw .noSuchRule(text) }
        subject.ruleID = id
        return id
    }

    /// The text in the place of the path's `{id}`, and its number. `id` is `nil` if the text is not a
    /// number.
    private var number: (text: String, id: Int?) {
        let text = parameters.get("id") ?? ""
        let isNumber = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return (text, isNumber ? Int(text) : nil)
    }
}

/// The subject of a request is its sender, and the compose, watch, image, build, rebuild or rule that
/// it concerns. They are set while the request is handled, and the log line at its end shows them.
final class RequestSubject: Sendable {
    private let knownSender = Mutex<Identity?>(nil)
    private let compose = Mutex<Int?>(nil)
    private let watch = Mutex<Int?>(nil)
    private let image = Mutex<Int?>(nil)
    private let build = Mutex<Int?>(nil)
    private let rebuild = Mutex<Int?>(nil)
    private let rule = Mutex<Int?>(nil)
    private let audited = Mutex(false)
    private let written = Mutex(false)
    private let claimed = Mutex<[String: String]>([:])
    private let browserSession = Mutex<Secret?>(nil)

    /// The session by which the sender is known. `nil` for all other credentials.
    var session: Secret? {
        get { browserSession.withLock { $0 } }
        set { browserSession.withLock { $0 = newValue } }
    }

    /// Whether the audit has an entry of the request already, which was stored together with the write.
    var isAudited: Bool {
        get { audited.withLock { $0 } }
        set { audited.withLock { $0 = newValue } }
    }

    /// Whether a GET has changed something. The audit has no entry of other GET requests.
    var hasWritten: Bool {
        get { written.withLock { $0 } }
        set { written.withLock { $0 = newValue } }
    }

    /// The names that the sender gives itself. The audit shows them, and nothing depends on them.
    var claims: [String: String] {
        get { claimed.withLock { $0 } }
        set { claimed.withLock { $0 = newValue } }
    }

    /// The sender. `nil` if it was not asked for, or if it is unknown.
    var sender: Identity? {
        get { knownSender.withLock { $0 } }
        set { knownSender.withLock { $0 = newValue } }
    }

    var composeID: Int? {
        get { compose.withLock { $0 } }
        set { compose.withLock { $0 = newValue } }
    }

    var watchID: Int? {
        get { watch.withLock { $0 } }
        set { watch.withLock { $0 = newValue } }
    }

    var imageID: Int? {
        get { image.withLock { $0 } }
        set { image.withLock { $0 = newValue } }
    }

    var buildID: Int? {
        get { build.withLock { $0 } }
        set { build.withLock { $0 = newValue } }
    }

    var rebuildID: Int? {
        get { rebuild.withLock { $0 } }
        set { rebuild.withLock { $0 = newValue } }
    }

    var ruleID: Int? {
        get { rule.withLock { $0 } }
        set { rule.withLock { $0 = newValue } }
    }
}
