import CModulemd

extension ModuleStream {
    /// Returns the same build under another id, which its document has as well.
    ///
    /// - Parameter dependency: A stream that each alternative of the requirements additionally requires. If
    ///   the build requires nothing, it becomes the only requirement.
    public func identified(as id: NSVC, requiring dependency: (module: String, stream: String)? = nil) throws(ModuleMetadataError)
        -> ModuleStream
    {
        if id == self.id, dependency == nil { return self }
        let read = ModuleIndex()
        try read.add(document)
        let written = ModuleIndex()
        for module in try read.modules {
            for raw in ModuleIndex.members(modulemd_module_get_all_streams(module)) {
                guard let copy = modulemd_module_stream_copy(raw.assumingMemoryBound(to: ModulemdModuleStream.self), id.name, id.stream)
                else {
                    throw ModuleMetadataError("The module \(self.id) cannot be given the name \(id).")
                }
                defer { g_object_unref(UnsafeMutableRawPointer(copy)) }
                modulemd_module_stream_set_version(copy, guint64(id.version))
                modulemd_module_stream_set_context(copy, id.context)
                if let dependency { Self.require(dependency, in: OpaquePointer(copy)) }
                try written.add(copy)
            }
        }
        guard let renamed = try ModuleMetadata(yaml: written.yaml()).streams.first else {
            throw ModuleMetadataError("The module \(self.id) has no document that could be given the name \(id).")
        }
        return renamed
    }

    private static func require(_ dependency: (module: String, stream: String), in version2: OpaquePointer) {
        let alternatives = ModuleIndex.members(modulemd_module_stream_v2_get_dependencies(version2))
        for alternative in alternatives {
            modulemd_dependencies_add_runtime_stream(OpaquePointer(alternative), dependency.module, dependency.stream)
        }
        guard alternatives.isEmpty, let only = modulemd_dependencies_new() else { return }
        defer { g_object_unref(UnsafeMutableRawPointer(only)) }
        modulemd_dependencies_add_runtime_stream(only, dependency.module, dependency.stream)
        modulemd_module_stream_v2_add_dependencies(version2, only)
    }
}
