import ForeignText

/// Why a compose failed: an explanation for people and the same as data for programs.
///
/// It is made where the failure is noticed, because only there is it known whether trying again can help. No text in it
/// names a path of the server or holds a secret. What strangers wrote in it is made printable here.
public struct ComposeFailure: Error, Hashable, Sendable, Codable {
    /// What kind of failure it is; a bounded set, fit for a metric's label.
    public enum Code: String, Hashable, Sendable, Codable, CaseIterable {
        /// A requested package is nowhere in the source.
        case packageNotFound = "package-not-found"
        /// `check_deps` was asked for and something could not be installed.
        case brokenDependencies = "broken-dependencies"
        /// The source does not exist, is not a repository or may not be read.
        case sourceNotUsable = "source-not-usable"
        /// The source's metadata is truncated, malformed or does not match its checksums.
        case metadataCorrupt = "metadata-corrupt"
        /// A package's file is missing or is not what its metadata says.
        case packageFileUnusable = "package-file-unusable"
        /// A package has none of the wanted signatures.
        case packageUnsigned = "package-unsigned"
        /// The source kept changing while it was read.
        case sourceChanging = "source-changing"
        /// A remote system did not answer, or answered that it is busy.
        case sourceUnreachable = "source-unreachable"
        /// More than the configured limits allow: bytes, packages, time.
        case limitExceeded = "limit-exceeded"
        /// The disk of the target directory is full, or cannot be written.
        case storage
        /// repomd.xml could not be signed.
        case signing
        /// The worker lost its lease or died, as often as a compose may be tried.
        case workerLost = "worker-lost"
        case canceled
        /// None of the above: a defect of ours, or of a library.
        case `internal`
    }

    /// One finding among several, each member where it applies.
    public struct Detail: Hashable, Sendable, Codable {
        public var package: String?
        public var arch: String?
        public var requirement: String?
        /// What comes nearest to what was looked for.
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
    /// What, where, and what would help, in whole sentences, which may be several lines.
    public let message: String
    public let details: [Detail]
    /// Whether the same attempt may succeed later, with nothing changed by a person.
    public let isTransient: Bool

    /// - Parameter message: One line. A line break in it is a stranger's, and shown as such.
    public init(_ code: Code, _ message: String, details: [Detail] = [], isTransient: Bool = false) {
        self.init(code, lines: [message], details: details, isTransient: isTransient)
    }

    /// - Parameter lines: The lines of the message. A line break inside of one of them is a stranger's, and shown as such.
    public init(_ code: Code, lines: [String], details: [Detail] = [], isTransient: Bool = false) {
        self.code = code
        message = lines.printableLines
        self.details = details
        self.isTransient = isTransient
    }
}

extension ComposeFailure {
    /// How many findings are stored.
    public static let mostDetails = 20
    /// How many bytes of a message are stored, and of each text of a finding.
    public static let mostMessageBytes = 16_384
    private static let mostDetailBytes = 1024

    /// The failure in the size in which it is stored and shown: the first findings and the number of the others.
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
    /// The text, or its beginning and a note if it has more than so many bytes. It ends between two code points.
    public func bounded(to bytes: Int) -> String {
        guard utf8.count > bytes else { return self }
        var end = utf8.index(startIndex, offsetBy: bytes)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(unicodeScalars[..<end]) + "… (\(utf8.count - bytes) more bytes; the log of the compose has all of them)"
    }
}

extension [String] {
    /// The first names and the number of the others: `a, b and 3 more`.
    public func listed(most: Int = ComposeFailure.mostDetails, separator: String = ", ") -> String {
        count > most ? prefix(most).joined(separator: separator) + " and \(count - most) more" : joined(separator: separator)
    }
}

extension ComposeFailure: CustomStringConvertible {
    public var description: String { message }
}
