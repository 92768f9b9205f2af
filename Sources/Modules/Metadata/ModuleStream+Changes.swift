import CModulemd
public import Repodata

extension ModuleStream {
    /// Returns the same build with a completed document.
    ///
    /// - Parameters:
    ///   - context: The context to use if the document has none, like those of the first modules.
    ///   - arch: The architecture, which replaces that of the document. `nil` keeps that of the document.
    public func completed(context: String, arch: String?) throws(ModuleMetadataError) -> ModuleStream {
        if arch ?? self.arch == self.arch, !id.context.isEmpty { return self }
        let written = ModuleIndex()
        let changed = ModuleIndex()
        try written.add(document)
        for module in try written.modules {
            for raw in ModuleIndex.members(modulemd_module_get_all_streams(module)) {
                let stream = raw.assumingMemoryBound(to: ModulemdModuleStream.self)
                if let arch { modulemd_module_stream_set_arch(stream, arch) }
                if id.context.isEmpty { modulemd_module_stream_set_context(stream, context) }
                try changed.add(stream)
            }
        }
        return try ModuleMetadata(yaml: try changed.yaml()).streams.first?.with(artifacts: artifacts) ?? self
    }

    /// Returns the same build with other packages. When its document is written for a repository, it lists
    /// those packages that are in the repository.
    public func with(artifacts: Set<NEVRA>) -> ModuleStream {
        ModuleStream(
            id: id, arch: arch, hasStaticContext: hasStaticContext, requirements: requirements, artifacts: artifacts, filters: filters,
            demodularized: demodularized, document: document)
    }
}
