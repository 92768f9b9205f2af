/// The modules that have been chosen for a compose. No two of them are different versions of one
/// stream.
struct ChosenModules {
    private(set) var modules: [ModuleChoice.Chosen] = []
    private var ids: Set<NSVC> = []
    private var versions: [String: (version: UInt64, chain: [String])] = [:]
    private var streams: [String: Set<String>] = [:]

    /// Returns the chosen version of a stream, written `NAME:STREAM`, or `nil` if no build of it has been
    /// chosen.
    func version(of stream: String) -> UInt64? { versions[stream]?.version }

    func meet(_ requirement: StreamRequirement) -> Bool { streams[requirement.module, default: []].contains(where: requirement.accepts) }

    /// Adds a build. Returns `nil` if the build has already been added. Throws `.brokenDependencies` if
    /// another version of its stream has.
    mutating func take(_ build: ModuleBuild, chain: [String]) throws(ModuleChoiceError) -> ModuleChoice.Chosen? {
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
