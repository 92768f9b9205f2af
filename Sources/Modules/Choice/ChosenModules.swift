import ComposeModel

/// Modules that are in, no two versions of one stream among them.
struct ChosenModules {
    private(set) var modules: [ModuleChoice.Chosen] = []
    private var ids: Set<NSVC> = []
    private var versions: [String: (version: UInt64, chain: [String])] = [:]
    private var streams: [String: Set<String>] = [:]

    /// The version of a stream, `NAME:STREAM`, that is in.
    func version(of stream: String) -> UInt64? { versions[stream]?.version }

    func meet(_ requirement: StreamRequirement) -> Bool { streams[requirement.module, default: []].contains(where: requirement.accepts) }

    /// Takes a build in. Gives `nil` for one that is in already.
    mutating func take(_ build: ModuleBuild, chain: [String]) throws(ComposeFailure) -> ModuleChoice.Chosen? {
        let stream = build.id.nameAndStream
        if let other = versions[stream], other.version != build.id.version {
            throw .twoVersions(of: stream, (other.version, other.chain), (build.id.version, chain))
        }
        versions[stream] = versions[stream] ?? (build.id.version, chain)
        streams[build.id.name, default: []].insert(build.id.stream)
        guard ids.insert(build.id).inserted else { return nil }
        let chosen = ModuleChoice.Chosen(build: build, chain: chain)
        modules.append(chosen)
        return chosen
    }
}
