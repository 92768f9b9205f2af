import ComposeModel
import Testing

@testable import ComposeFrontend

/// What a server can do, by the systems that its configuration names.
@Suite struct AdmissionTests {
    private static func refusal(_ capabilities: ServerCapabilities, of request: ComposeRequest) -> String? {
        Admission(capabilities: capabilities, places: AllowedPlaces()).refusal(of: request)
    }

    private static func request(_ type: SourceType, _ change: (inout ComposeRequest) -> Void = { _ in }) -> ComposeRequest {
        var request = ComposeRequest(sourceType: type, source: ["/srv/a"], arches: ["x86_64"], secondsToLive: 60)
        change(&request)
        return request
    }

    @Test("a server refuses a source type by the settings that are missing for it")
    func missingSettings() {
        let capabilities = ServerCapabilities(
            missingSettings: [.repo: [], .pulp: ["pulp.url"], .module: ["mbs.url", "koji.hub", "modules.repositories"]])
        #expect(capabilities.sourceTypes == [.tag, .repo, .rawConfig, .build, .pungiCompose])
        #expect(Self.refusal(capabilities, of: Self.request(.repo)) == nil)
        #expect(
            Self.refusal(capabilities, of: Self.request(.pulp))
                == "This server makes no composes of the source type pulp: the setting pulp.url is missing in its configuration.")
        #expect(
            Self.refusal(capabilities, of: Self.request(.module))
                == "This server makes no composes of the source type module: of the settings mbs.url, koji.hub and modules.repositories, "
                + "at least one is needed in its configuration.")
    }

    @Test("modules need a place where they come from")
    func modules() {
        let koji = ServerCapabilities(hasKoji: true)
        #expect(
            Self.refusal(koji, of: Self.request(.module))
                == "This server knows of no place where modules come from: name tags of Koji as modular_koji_tags. "
                + "Its configuration has none of mbs.url, modules.koji_tags and modules.repositories.")
        #expect(Self.refusal(koji, of: Self.request(.module) { $0.modularKojiTags = ["f42-modular"] }) == nil)
        let places: [WritableKeyPath<ServerCapabilities, Bool>] = [\.hasModuleBuildService, \.hasModuleTags, \.hasModuleRepositories]
        for place in places {
            var capabilities = koji
            capabilities[keyPath: place] = true
            #expect(Self.refusal(capabilities, of: Self.request(.module)) == nil)
        }
        #expect(
            Self.refusal(koji, of: Self.request(.tag) { $0.scratchModules = ["a:b:1:c"] })
                == "scratch_modules cannot be used on this server: the setting mbs.url is missing in its configuration.")
        #expect(
            Self.refusal(ServerCapabilities(hasModuleRepositories: true), of: Self.request(.module) { $0.modularKojiTags = ["m"] })
                == "modular_koji_tags cannot be used on this server: the setting koji.hub is missing in its configuration.")
    }

    @Test("each place that a worker would read has to be allowed")
    func places() {
        let refused = "The repository /etc is outside of what this server may read: /srv."
        #expect(Self.refusal(.all, of: Self.request(.repo) { $0.source.append("/etc") }) == refused)
        #expect(Self.refusal(.all, of: Self.request(.pungiCompose) { $0.source = ["/etc"] }) == refused)
        #expect(Self.refusal(.all, of: Self.request(.tag) { $0.lookasideRepos = ["/etc"] }) == refused)
        #expect(Self.refusal(.all, of: Self.request(.tag) { $0.moduleDefaultsURL = "/etc" }) == refused)
        // The name of a tag is no place.
        #expect(Self.refusal(.all, of: Self.request(.tag) { $0.source = ["/etc"] }) == nil)
    }
}
