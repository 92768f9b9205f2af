/// Why modules are in a compose: from what was asked for to each of them.
public struct ModuleChains: Sendable {
    private var chains: [NSVC: [String]] = [:]

    /// - Parameters:
    ///   - requested: What was asked for.
    ///   - streams: The modules of the compose.
    public init(of requested: [ModuleReference], among streams: [ModuleStream]) {
        var pending: [(stream: ModuleStream, chain: [String])] = []
        var seen: Set<NSVC> = []
        for reference in requested {
            for stream in streams where reference.includes(stream.id) && seen.insert(stream.id).inserted {
                pending.append((stream, [reference.description]))
            }
        }
        // The shortest chain is found first.
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

    /// From a request to the module: `["nodejs:20", "python:3.12"]`; `nil` where nothing leads to it.
    public subscript(id: NSVC) -> [String]? { chains[id] }

    /// `requested`, or `required by nodejs:20, which was requested`.
    public func reason(for id: NSVC) -> String? {
        guard let chain = chains[id] else { return nil }
        if chain.count == 1 { return "requested" }
        return "required by " + chain.dropLast().reversed().joined(separator: ", required by ") + ", which was requested"
    }
}
