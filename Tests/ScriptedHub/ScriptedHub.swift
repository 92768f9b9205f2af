public import Koji
import NIOCore
import NIOHTTP1
import NIOPosix
public import NIOSSL
import Synchronization
public import SystemPackage

/// A Koji hub in this process, with its tree of files beside it: `/kojihub` answers calls from ``Recordings``, or as a test told it to, and refuses
/// what a real hub refuses; `/topdir/…` hands out files.
public final class ScriptedHub: Sendable {
    /// The tree of files of the recorded hub.
    public static let topdir = FilePath(#filePath).removingLastComponent().appending("topdir")

    /// How a call is answered.
    public enum Behaviour: Sendable {
        /// As recorded, or as ``ScriptedHub/answer(_:with:)`` said.
        case answer
        case reply(Reply)
        /// That status and a page of HTML.
        case status(Int, headers: [(String, String)] = [])
        /// Status 200 and these bytes.
        case bytes([UInt8], contentType: String = "text/xml")
        /// The head of the whole answer, this part of its body, and then the end of the connection.
        case cut(after: Double)
        /// This part of the answer's body as if it were all.
        case part(Double)
        /// The head of the whole answer, this part of its body, and then nothing more while the connection stays open.
        case stall(after: Double)
        /// The end of the connection, without an answer.
        case hangUp
        /// Nothing, while the connection stays open.
        case silence
        /// One piece after the other, as the client takes them, until there is none; the number of the piece is
        /// given. `length`: what the head says.
        case stream(length: Int? = nil, @Sendable (Int) -> [UInt8]?)
    }

    /// A request for a file.
    public struct FileRequest: Hashable, Sendable {
        /// Below the tree: "packages/ed/…".
        public let path: String
        public let method: String
        public let range: String?
        /// Which request for this path it is; the first is 1.
        public let number: Int
    }

    /// How a request for a file is answered.
    public enum FileBehaviour: Sendable {
        /// With Range where it is asked for.
        case file
        /// The whole file, as a server without Range does.
        case wholeFile
        case status(Int)
        case bytes([UInt8])
        /// The head of the whole answer, this many bytes of the body, and then the end of the connection.
        case cut(after: Int)
        /// The head of the whole answer, this many bytes of the body, and then nothing more while the connection stays open.
        case stall(after: Int)
    }

    struct State {
        var script: @Sendable (XMLRPCCall, Int) -> Behaviour = { _, _ in .answer }
        var fileScript: @Sendable (FileRequest) -> FileBehaviour = { _ in .file }
        var answers: [Question: Reply] = [:]
        var answerer: @Sendable (XMLRPCCall) -> Reply? = { _ in nil }
        var calls: [XMLRPCCall] = []
        var unrecorded: [XMLRPCCall] = []
        var fileRequests: [FileRequest] = []
        var fileBytes: [String: Int] = [:]
        var connections = 0
        var userAgents: Set<String> = []
    }

    let state = Mutex(State())
    let directory: FilePath
    /// The tree of files that it hands out.
    public var topdir: FilePath { directory }
    private let channel: Mutex<(any Channel)?> = Mutex(nil)

    private let scheme: String

    private init(_ directory: FilePath, scheme: String) {
        self.directory = directory
        self.scheme = scheme
    }

    /// Runs `body` with a hub on a free port of the loopback interface.
    /// - Parameter tls: for a hub that speaks HTTPS.
    public static func with<Result>(
        topdir: FilePath = topdir, tls: TLSConfiguration? = nil, _ body: (ScriptedHub) async throws -> Result
    ) async throws -> Result {
        let hub = ScriptedHub(topdir, scheme: tls == nil ? "http" : "https")
        let context = try tls.map { try NIOSSLContext(configuration: $0) }
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                hub.state.withLock { $0.connections += 1 }
                return channel.eventLoop.makeCompletedFuture {
                    if let context { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context)) }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(HubHandler(hub))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        hub.channel.withLock { $0 = channel }
        do {
            let result = try await body(hub)
            try await channel.close()
            return result
        } catch {
            try await channel.close()
            throw error
        }
    }

    private var origin: String { "\(scheme)://127.0.0.1:\(channel.withLock { $0?.localAddress?.port ?? 0 })" }
    /// The hub's address.
    public var address: String { origin + "/kojihub" }
    /// The address of the tree of files.
    public var topurl: String { origin + "/topdir" }

    /// The profile of this hub: its files are read over HTTP.
    public func profile() throws -> KojiProfile { try KojiProfile(hub: address, topurl: topurl) }
}

// What a test tells it.
extension ScriptedHub {
    /// From now on `script` says how each call is answered; it is given the call and which call of its method it is, the first being 1. Each of the
    /// calls of a multiCall is answered as recorded.
    public func behave(_ script: @escaping @Sendable (XMLRPCCall, Int) -> Behaviour) { state.withLock { $0.script = script } }

    /// From now on `call` has this answer, alone or in a multiCall.
    public func answer(_ call: XMLRPCCall, with reply: Reply) {
        let question = Recordings.shared.question(call)
        state.withLock { $0.answers[question] = reply }
    }

    /// From now on `answerer` answers each call, alone or in a multiCall. If it returns `nil`, the
    /// recordings do.
    public func answerEach(_ answerer: @escaping @Sendable (XMLRPCCall) -> Reply?) { state.withLock { $0.answerer = answerer } }

    /// From now on `script` says how each request for a file is answered.
    public func behaveForFiles(_ script: @escaping @Sendable (FileRequest) -> FileBehaviour) { state.withLock { $0.fileScript = script } }
}

// What it saw.
extension ScriptedHub {
    /// The calls so far.
    public var calls: [XMLRPCCall] { state.withLock { $0.calls } }
    /// The calls that it had no answer for.
    public var unrecorded: [XMLRPCCall] { state.withLock { $0.unrecorded } }
    public var fileRequests: [FileRequest] { state.withLock { $0.fileRequests } }
    /// The bytes of files' bodies that were handed to connections, in all. Those of `.cut` and `.stall` are not counted.
    public var fileBytes: Int { state.withLock { $0.fileBytes.values.reduce(0, +) } }
    /// As ``fileBytes``, by path.
    public var fileBytesByPath: [String: Int] { state.withLock { $0.fileBytes } }
    public var connections: Int { state.withLock { $0.connections } }
    public var userAgents: Set<String> { state.withLock { $0.userAgents } }

    /// Forgets what it saw.
    public func forget() {
        state.withLock {
            $0.calls = []
            $0.unrecorded = []
            $0.fileRequests = []
            $0.fileBytes = [:]
        }
    }
}

// What its handlers ask.
extension ScriptedHub {
    /// The document that answers `call`.
    func document(for call: XMLRPCCall) throws -> [UInt8] {
        if call.method == "multiCall", case .array(let parts)? = call.arguments.first {
            let answers = try parts.map { part in try reply(XMLRPCCall(part: part)).part() }
            return try Reply.value(.array(answers)).document()
        }
        return try reply(call).document()
    }

    private func reply(_ call: XMLRPCCall) -> Reply {
        let question = Recordings.shared.question(call)
        if let reply = state.withLock({ $0.answers[question] }) { return reply }
        if let reply = state.withLock({ $0.answerer })(call) { return reply }
        if let reply = Recordings.shared.reply(call) { return reply }
        state.withLock { $0.unrecorded.append(call) }
        return .fault(1000, "This hub has no recording of \(call)")
    }
}

extension XMLRPCCall {
    /// One of the calls of a multiCall.
    public init(part: XMLRPCValue) {
        var arguments = part["params"]?.array ?? []
        var keywords: [Keyword] = []
        if case .structure(var members)? = arguments.last, members.removeValue(forKey: "__starstar") == true {
            arguments.removeLast()
            keywords = members.map { Keyword($0.key, $0.value) }
        }
        self.init(part["methodName"]?.string ?? "", arguments, keywords: keywords)
    }
}
