import AsyncHTTPClient
import ComposeModel
import Foundation
import Hummingbird
import NIOCore
import NIOHTTP1
import SystemPackage
import Testing

/// Composes of repositories that Pulp serves.
@Suite(.timeLimit(.minutes(5))) struct PulpComposeTests {
    /// Stands for a Pulp 3 with two distributions of one content set, whose repositories are those of a compose of ours.
    private static func pulp(serving repositories: String) -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/pulp/api/v3/distributions/rpm/rpm/") { request, _ -> Response in
            let query = request.uri.queryParameters.get("q") ?? ""
            let distributions = ["x86_64", "aarch64"].map { arch in
                """
                {"name": "ed-\(arch)", "base_url": "\(repositories)/\(arch)/os/", "content_guard": null,
                 "pulp_labels": {"arch": "\(arch)", "content_set": "ed-rpms", "signatures": "0b3e5524",
                                 "include_in_download_service": "True"}}
                """
            }
            let found = query.contains("content_set=ed-rpms") ? distributions : []
            let body = "{\"count\": \(found.count), \"next\": null, \"previous\": null, \"results\": [\(found.joined(separator: ","))]}"
            return Response(status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: ByteBuffer(string: body)))
        }
        return router
    }

    @Test("content sets become a .repo file by which dnf installs, with Pulp's architectures and keys, and what is absent is said")
    func contentSet() async throws {
        try await TestService.running { content, contentServer in
            let served = try await contentServer.compose("repo", Checkout.testsRepo.string, "libed", "--arch=x86_64", "--arch=aarch64")
            try await withLocalServer(Self.pulp(serving: served.resultRepo)) { pulpURL in
                try await TestService.running(more: "pulp: {url: \"\(pulpURL)\"}") { service, server in
                    let refused = try await server.compose("pulp", "ed-rpms", "other-rpms")
                    #expect(refused.stateName == "failed")
                    #expect(
                        refused.stateReason
                            == "Pulp has neither a content set nor a repository called other-rpms.\n"
                            + "The flag ignore_absent_pulp_repos makes the compose without them.")

                    let compose = try await server.compose("pulp", "ed-rpms", "other-rpms", "--flag=ignore_absent_pulp_repos")
                    #expect(compose.stateName == "done")
                    #expect(
                        compose.stateReason
                            == "Done: 2 repositories of Pulp.\n"
                            + "other-rpms is left out: Pulp has neither a content set nor a repository of that name to offer.")
                    #expect(compose.source == "ed-rpms")
                    #expect(compose.arches == "aarch64 x86_64")
                    #expect(compose.sigkeys == "0b3e5524")
                    let finished = FinishedCompose(document: compose, in: service.composes)
                    #expect(
                        try finished.files() == [
                            "COMPOSE_ID", "STATUS", "compose.lock.json", "compose/Temporary/odcs-\(compose.id).repo", "pungi-stderr.log",
                        ])
                    try await Dnf.with { dnf in
                        try await dnf.add(finished, by: server)
                        let seen = try await dnf.packages(in: "odcs-\(compose.id)-ed-x86_64")
                        #expect(seen.packages == ["libed-1.1-2.x86_64", "libed-data-1.1-2.noarch"])
                    }

                    let renewed = try await server.http(
                        .PATCH, "/api/1/composes/\(compose.id)", body: .bytes(Data("{\"seconds_to_live\": 5000}".utf8)))
                    #expect(renewed.status == 200)
                }
            }
        }
    }

    @Test("without an address of Pulp such a compose is refused with the name of the setting")
    func notConfigured() async throws {
        try await TestService.running { _, server in
            let answer = try await server.post("{\"source\": {\"type\": \"pulp\", \"source\": \"ed-rpms\"}}")
            #expect(answer.status == 400)
            #expect(
                try answer.message
                    == "This server makes no composes of the source type pulp: the setting pulp.url is missing in its configuration.")
        }
    }
}
