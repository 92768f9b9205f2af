import ComposeModel
import ContentSources
import Foundation
import ServiceConfiguration
import SystemPackage

extension SourceAccess {
    /// Returns this access, extended by the service's own finished composes at the addresses at which they
    /// are served. Those of private targets are left out: another compose could show their packages.
    func publishing(_ targets: [String: ServerConfiguration.Target], publicURL: String?) throws(ComposeFailure) -> SourceAccess {
        var access = self
        do {
            for (name, target) in targets where target.readers == nil {
                if let url = target.url {
                    access = try access.publishing(target.directory, at: url)
                } else {
                    for base in Self.names(of: publicURL) {
                        access = try access.publishing(target.directory, at: base + ConfigurationReader.path(ofTarget: name))
                    }
                }
            }
        } catch {
            throw ComposeFailure(.internal, error.description)
        }
        return access
    }

    /// Returns the addresses by which clients reach the service. If it listens on this host only, clients
    /// can use `localhost` too.
    private static func names(of publicURL: String?) -> [String] {
        guard let publicURL else { return [] }
        guard var parts = URLComponents(string: publicURL), parts.host == "127.0.0.1" || parts.host == "[::1]" else { return [publicURL] }
        parts.host = "localhost"
        return [publicURL] + (parts.string.map { [$0] } ?? [])
    }
}
