extension ComposeSubmission {
    /// Creates the submission that asks for the inputs of a request again. It has every member that
    /// determines the packages and their repodata. It leaves out the time to live, the place and the label.
    public init(inputsOf request: ComposeRequest) {
        self.init(source: Source(type: request.sourceType.name, source: request.source.joined(separator: " ")))
        source.packages = request.packages
        source.builds = Self.listed(request.builds)
        // The empty list counts too. Without it, the keys of the server would be taken.
        source.sigkeys = request.sigkeys
        source.kojiEvent = request.kojiEvent
        source.modularKojiTags = Self.listed(request.modularKojiTags)
        source.moduleDefaultsURL = request.moduleDefaultsURL
        source.moduleDefaultsCommit = request.moduleDefaultsCommit
        source.scratchModules = Self.listed(request.scratchModules)
        source.scratchBuildTasks = Self.listed(request.scratchBuildTasks)
        source.modules = Self.listed(request.modules)
        source.baseModuleBrName = request.baseModuleBrName
        source.baseModuleBrStream = request.baseModuleBrStream
        source.baseModuleBrStreamVersionLTE = request.baseModuleBrStreamVersionLTE
        source.baseModuleBrStreamVersionGTE = request.baseModuleBrStreamVersionGTE
        arches = request.arches
        flags = Self.listed(request.flags.subtracting(.noReuse).names)
        multilibArches = Self.listed(request.multilibArches)
        multilibMethods = Self.listed(request.multilibMethods.names)
        lookasideRepos = Self.listed(request.lookasideRepos)
        delivery = request.delivery == .link ? nil : request.delivery.rawValue
        moduleHotfixes = request.moduleHotfixes
    }

    private static func listed(_ words: [String]) -> [String]? { words.isEmpty ? nil : words }
}
