/// Explains why modules are in a compose, by the chain of dependencies from a request to each module.
public struct ModuleChains: Sendable {
    private var chains: [NSVC: [String]] = [:]

    /// - Parameters:
    ///   - requested: The requested modules.
    ///   - streams: The modules of the compose.
    public init(of requested: [ModuleReference], among streams: [ModuleStream]) {
        var pending: [(stream: ModuleStream, chain: [String])] = []
        var seen: Set<NSVC> = []
        for reference in requested {
            for stream in streams where reference.includes(stream.id) && seen.insert(stream.id).inserted {
                pending.append((stream, [reference.description]))
            }
        }
        // The search is breadth-first, so the shortest chain is found first.
        var next = 0
        while next < pending.count {
            let (asking, chain) = pending[next]
            next += 1
            chains[asking.id] = chain
            for requirement in asking.requirements.joined() {
                for stream in streams
                where stream.id.name == requirement.module && requirement.accepts(stream.id.stream) && seen.insert(stream.id).inserted {
                    pending.append((stream, chain + [stream.id.nameAndStream]))
                }
            }
        }
    }

    /// The chain from a request to the module, or `nil` if no chain leads to it. Example: `["nodejs:20",
    /// "python:3.12"]`.
    public subscript(id: NSVC) -> [String]? { chains[id] }

    /// Returns the chain in words, or `nil` if no chain leads to the module. Examples: `requested`,
    /// `required by nodejs:20, which was requested`.
    public func reason(for id: NSVC) -> String? {
        guard let chain = chains[id] else { return nil }
        if chain.count == 1 { return "requested" }
        return "required by " + chain.dropLast().reversed().joined(separator: ", required by ") + ", which was requested"
    }
}
