import ForeignText

/// The reason why a compose failed, as an explanation for people and as data for programs.
///
/// A failure is created at the place that detects it, because only that place knows whether another
/// attempt can help. Its texts contain no path of the server and no secret. Unprintable characters of
/// foreign texts are made visible here.
public struct ComposeFailure: Error, Hashable, Sendable, Codable {
    /// The kind of the failure. The set is bounded, so a code can be the label of a metric.
    ///
    /// A code that a newer version wrote, and this version does not know, is decoded as `internal`. So a
    /// frontend can show the failures of newer workers, and a client those of newer servers.
    public enum Code: String, Hashable, Sendable, Codable, CaseIterable {
        /// The source does not contain a requested package.
        case packageNotFound = "package-not-found"
        /// The request has `check_deps`, and a package could not be installed.
        case brokenDependencies = "broken-dependencies"
        /// The source does not exist, is not a repository or may not be read.
        case sourceNotUsable = "source-not-usable"
        /// The source's metadata is truncated, malformed or does not match its checksums.
        case metadataCorrupt = "metadata-corrupt"
        /// A package's file is missing or differs from its metadata.
        case packageFileUnusable = "package-file-unusable"
        /// A package has none of the wanted signatures.
        case packageUnsigned = "package-unsigned"
        /// The source kept changing while it was read.
        case sourceChanging = "source-changing"
        /// A remote system did not answer, or answered that it is busy.
        case sourceUnreachable = "source-unreachable"
        /// A configured limit is exceeded: of bytes, packages or time.
        case limitExceeded = "limit-exceeded"
        /// The disk of the target directory is full, or cannot be written.
        case storage
        /// repomd.xml could not be signed.
        case signing
        /// The worker lost its lease or died in each of the allowed attempts.
        case workerLost = "worker-lost"
        case canceled
        /// A defect of this service or of a library, if no other code applies.
        case `internal`

        public init(from decoder: any Decoder) throws {
            let code = try decoder.singleValueContainer().decode(String.self)
            self = Self(rawValue: code) ?? .internal
        }
    }

    /// One finding of a failure that has several. Only the members that apply are set.
    public struct Detail: Hashable, Sendable, Codable {
        public var package: String?
        public var arch: String?
        public var requirement: String?
        /// The names that are nearest to the name that was looked for.
        public var nearest: [String]?
        public var text: String?

        public init(
            package: String? = nil, arch: String? = nil, requirement: String? = nil, nearest: [String]? = nil, text: String? = nil
        ) {
            self.package = package?.printable()
            self.arch = arch?.printable()
            self.requirement = requirement?.printable()
            self.nearest = nearest?.map { $0.printable() }
            self.text = text?.printable()
        }
    }

    public let code: Code
    /// The explanation in whole sentences, on one line or several. It names the problem, its place and, if
    /// possible, a remedy.
    public let message: String
    public let details: [Detail]
    /// Whether the same attempt may succeed later without any change by a person.
    public let isTransient: Bool

    /// Creates a failure with a message of one line.
    ///
    /// - Parameter message: One line. A line break in it comes from a foreign text and is shown as a
    ///   visible code.
    public init(_ code: Code, _ message: String, details: [Detail] = [], isTransient: Bool = false) {
        self.init(code, lines: [message], details: details, isTransient: isTransient)
    }

    /// Creates a failure with a message of several lines.
    ///
    /// - Parameter lines: The lines of the message. A line break inside a line comes from a foreign text
    ///   and is shown as a visible code. Example: `a\nforged` is shown as `aU+000Aforged`.
    public init(_ code: Code, lines: [String], details: [Detail] = [], isTransient: Bool = false) {
        self.code = code
        message = lines.printableLines
        self.details = details
        self.isTransient = isTransient
    }
}

extension ComposeFailure {
    /// The number of findings that are stored.
    public static let mostDetails = 20
    /// The number of bytes of a message that are stored.
    public static let mostMessageBytes = 16_384
    /// The number of bytes that are stored of each text of a finding.
    private static let mostDetailBytes = 1024

    /// The failure in the size in which it is stored and shown: with its first findings and the number of
    /// the others.
    public var bounded: ComposeFailure {
        let rest = details.count - Self.mostDetails
        let shown = details.prefix(Self.mostDetails).map { $0.bounded(to: Self.mostDetailBytes, names: Self.mostDetails) }
        let lines = message.bounded(to: Self.mostMessageBytes).split(separator: "\n", omittingEmptySubsequences: false)
        return ComposeFailure(
            code, lines: lines.map(String.init),
            details: shown + (rest > 0 ? [Detail(text: "and \(rest) more")] : []), isTransient: isTransient)
    }
}

extension ComposeFailure.Detail: CustomStringConvertible {
    /// All members, for a log.
    public var description: String {
        [package, arch, requirement, nearest.map { "nearest: " + $0.joined(separator: ", ") }, text].compactMap(\.self)
            .joined(separator: ": ")
    }

    fileprivate func bounded(to bytes: Int, names: Int) -> Self {
        Self(
            package: package?.bounded(to: bytes), arch: arch?.bounded(to: bytes), requirement: requirement?.bounded(to: bytes),
            nearest: nearest?.prefix(names).map { $0.bounded(to: bytes) }, text: text?.bounded(to: bytes))
    }
}

extension String {
    /// Returns the text, or its beginning and a note if it has more than `bytes` bytes. The beginning ends
    /// between two code points.
    public func bounded(to bytes: Int) -> String {
        guard utf8.count > bytes else { return self }
        var end = utf8.index(startIndex, offsetBy: bytes)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(unicodeScalars[..<end]) + "… (\(utf8.count - bytes) more bytes; the log of the compose has all of them)"
    }
}

extension [String] {
    /// Returns the first names and the number of the others. Example: `a, b and 3 more`.
    public func listed(most: Int = ComposeFailure.mostDetails, separator: String = ", ") -> String {
        count > most ? prefix(most).joined(separator: separator) + " and \(count - most) more" : joined(separator: separator)
    }
}

extension ComposeFailure: CustomStringConvertible {
    public var description: String { message }
}
