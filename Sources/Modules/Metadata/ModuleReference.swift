/// A module as a user requests it: `NAME:STREAM`, `NAME:STREAM:VERSION` or
/// `NAME:STREAM:VERSION:CONTEXT`.
public struct ModuleReference: Hashable, Sendable {
    public let name: String
    public let stream: String
    /// The version, or `nil` for the newest one.
    public let version: UInt64?
    /// The context, or `nil` for every context of the version.
    public let context: String?

    public init(name: String, stream: String, version: UInt64? = nil, context: String? = nil) {
        self.name = name
        self.stream = stream
        self.version = version
        self.context = context
    }

    /// Returns whether the reference matches this build. A reference without a version matches every build
    /// of the stream.
    public func includes(_ build: NSVC) -> Bool {
        build.name == name && build.stream == stream && (version ?? build.version) == build.version
            && (context ?? build.context) == build.context
    }

    /// Returns the matching elements of `builds`. Without a version, these are the builds of the newest
    /// version of the stream in each of its contexts.
    public func choice<Build>(of builds: [Build], id: (Build) -> NSVC) -> [Build] {
        let meant = builds.filter { includes(id($0)) }
        let newest = meant.map { id($0).version }.max()
        return meant.filter { id($0).version == newest }
    }
}

extension ModuleReference: LosslessStringConvertible {
    public var description: String {
        ([name, stream] + (version.map { ["\($0)"] } ?? []) + (context.map { [$0] } ?? [])).joined(separator: ":")
    }

    public init?(_ description: String) {
        let parts = description.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (2...4).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        let version = parts.count > 2 ? UInt64(parts[2]) : nil
        if parts.count > 2, version == nil { return nil }
        self.init(name: parts[0], stream: parts[1], version: version, context: parts.count > 3 ? parts[3] : nil)
    }
}
