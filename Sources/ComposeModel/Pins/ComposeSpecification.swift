public import Foundation

/// A request with every input pinned. The same specification gives the same repository at any time.
///
/// Two composes with an equal ``key()`` are one piece of work.
public struct ComposeSpecification: Hashable, Sendable, Codable {
    /// One repository at one moment.
    public struct Repository: Hashable, Sendable, Codable {
        /// The location as the request has it. Example: `/srv/repo`.
        public var location: String
        /// The checksum of its repomd.xml, `sha256:…`.
        public var repomd: String

        public init(location: String, repomd: String) {
            self.location = location
            self.repomd = repomd
        }
    }

    public var sourceType: SourceType
    /// The state of the sources when they were pinned.
    public var pins: ComposePins
    /// The requested packages, sorted and without repetition. An empty list means everything.
    public var packages: [String]
    public var sigkeys: [String]
    public var arches: [String]
    public var multilibArches: [String]
    public var multilibMethods: MultilibMethods
    /// The flags that change the result. Others are left out.
    public var flags: ComposeFlags
    public var results: ComposeResults
    public var label: String?
    public var composeType: String?
    public var targetDir: String
    public var delivery: Delivery
    /// The enabled module streams, sorted. `nil` means that no stream is enabled.
    public var modules: [String]?
    public var moduleHotfixes: Bool?
    /// The packages that the compose must have (``ComposeRequest/lock``).
    public var lock: String?

    public init(_ request: ComposeRequest, pins: ComposePins) {
        sourceType = request.sourceType
        self.pins = pins
        packages = Set(request.packages).sorted()
        sigkeys = request.sigkeys.map { $0.lowercased() }
        arches = Set(request.arches).sorted()
        multilibArches = Set(request.multilibArches).sorted()
        multilibMethods = request.multilibMethods
        // The modules that `include_done_modules` adds are recorded in the pins.
        flags = request.flags.subtracting([.noReuse, .includeDoneModules])
        results = request.results
        label = request.label
        composeType = request.composeType
        targetDir = request.targetDir
        delivery = request.delivery
        modules = request.modules.isEmpty ? nil : Set(request.modules).sorted()
        moduleHotfixes = request.moduleHotfixes
        lock = request.lock
    }

    /// Returns the specification as JSON with sorted keys. Equal values give equal bytes.
    public func canonicalJSON() throws -> Data { try CanonicalJSON.encode(self) }

    /// Returns the SHA-256 of the canonical JSON, in hexadecimal.
    public func key() throws -> String { try CanonicalJSON.digest(of: self) }
}
