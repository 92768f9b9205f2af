import ForeignText

/// A *build failure* is the reason why a build or a step failed, for people and as data for programs.
///
/// It is created at the place that detects it, because only that place knows whether another attempt
/// can help. Its texts contain no path of the server and no secret. Unprintable characters of foreign
/// texts are made visible here.
public struct BuildFailure: Error, Hashable, Sendable, Codable, CustomStringConvertible {
    /// The kind of the failure. The set is bounded, so a code can be the label of a metric.
    ///
    /// A code that a newer version wrote, and this version does not know, is decoded as `internal`.
    public enum Code: String, Hashable, Sendable, Codable, CaseIterable {
        /// An instruction of the Containerfile failed.
        case buildFailed = "build-failed"
        /// The Containerfile or its context cannot be used.
        case badContainerfile = "bad-containerfile"
        /// An image that the Containerfile builds on does not exist.
        case baseNotFound = "base-not-found"
        /// A compose whose packages the build is to install has no files, or none any more.
        case composeNotUsable = "compose-not-usable"
        /// The registry did not answer, or answered that it is busy.
        case registryUnreachable = "registry-unreachable"
        /// The registry refuses.
        case registryRefused = "registry-refused"
        /// Bytes do not have the digest that they should have.
        case digestMismatch = "digest-mismatch"
        /// The result still has an older package.
        case stillOlder = "still-older"
        /// Other packages vanished or became older.
        case unexpectedContents = "unexpected-contents"
        /// The contents of the result could not be read.
        case contentsUnknown = "contents-unknown"
        /// A tag showed something that this service did not write.
        case tagMoved = "tag-moved"
        /// A build that this one builds on failed.
        case parentFailed = "parent-failed"
        /// A configured limit is exceeded: of bytes, memory or time.
        case limitExceeded = "limit-exceeded"
        /// The disk is full, or cannot be written.
        case storage
        /// The worker lost its lease or died in each of the allowed attempts.
        case workerLost = "worker-lost"
        /// The node of a farm was lost in each of the allowed attempts.
        case nodeLost = "node-lost"
        case canceled
        /// A defect of this service or of a program that it runs, if no other code applies.
        case `internal`

        public init(from decoder: any Decoder) throws {
            let code = try decoder.singleValueContainer().decode(String.self)
            self = Self(rawValue: code) ?? .internal
        }
    }

    /// The number of bytes of a message, and the number of lines of a log, that are stored.
    public static let mostMessageBytes = 16_384
    public static let mostLogLines = 40

    public let code: Code
    /// The explanation in whole sentences. It names the problem, its place and, if possible, a remedy.
    public let message: String
    /// The last lines of the log of the instruction that failed.
    public let log: [String]
    /// Whether the same attempt may succeed later without any change by a person.
    public let isTransient: Bool

    public init(_ code: Code, _ message: String, log: [String] = [], isTransient: Bool = false) {
        self.code = code
        let message = message.printable()
        self.message = message.utf8.count > Self.mostMessageBytes ? message.prefix(Self.mostMessageBytes / 4) + "…" : message
        self.log = log.suffix(Self.mostLogLines).map { String($0.prefix(1000)).printable() }
        self.isTransient = isTransient
    }

    public var description: String { message }
}
