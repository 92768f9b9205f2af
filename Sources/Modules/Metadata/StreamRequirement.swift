/// The streams of another module that satisfy a dependency of a module.
public struct StreamRequirement: Hashable, Sendable {
    public let module: String
    /// The accepted streams. Empty means that every stream is accepted except the excluded ones.
    public let streams: Set<String>
    /// The excluded streams. A document writes them with a leading dash.
    public let excluded: Set<String>

    /// - Parameter written: The streams as a modulemd document has them: `["f26", "f27"]`, `["-f26"]`,
    ///   `[]`.
    public init(module: String, written: [String]) {
        self.module = module
        streams = Set(written.filter { !$0.hasPrefix("-") })
        excluded = Set(written.filter { $0.hasPrefix("-") }.map { String($0.dropFirst()) })
    }

    public func accepts(_ stream: String) -> Bool {
        !excluded.contains(stream) && (streams.isEmpty || streams.contains(stream))
    }
}

extension StreamRequirement: CustomStringConvertible {
    /// The requirement in words. Examples: `platform:f26`, `perl:5.26 or 5.28`, `perl, but not 5.24`,
    /// `perl`.
    public var description: String {
        let wanted = streams.isEmpty ? module : "\(module):\(streams.sorted().joined(separator: " or "))"
        return excluded.isEmpty ? wanted : "\(wanted), but not \(excluded.sorted().joined(separator: ", "))"
    }
}
