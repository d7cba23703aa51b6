package probe

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestANearMissOfAJobsNameIsNamed(t *testing.T) {
	for got, want := range map[string]string{
		"app_deploy": "app_deploy is not app-deploy", "App-Deploy": "App-Deploy is not app-deploy", "deploy-app": "deploy-app is not app-deploy",
		"appdeploy": "appdeploy is not app-deploy", "app-deplyo": "app-deplyo is not app-deploy", "app-deploys": "app-deploys is not app-deploy",
		"app-depoy": "app-depoy is not app-deploy", "app deploy": "app deploy is not app-deploy",
		"deploy": "no app-deploy", "app-employ": "no app-deploy", "": "no app-deploy", "app-release": "no app-deploy",
	} {
		names := slices.Clone(normed())
		names[slices.Index(names, "app-deploy")] = got
		require.Equal(t, []string{want}, misnamed(names), got)
	}
	require.Empty(t, misnamed(append(normed(), "app_deploy")), "an exact name needs no other")
	require.Equal(t, []string{"infra-aply is not infra-apply"}, misnamed(append(slices.DeleteFunc(normed(), func(n string) bool { return n == "infra-apply" }), "infra-aply")))
	require.Len(t, misnamed(nil), len(normed()))
}

func TestAChainIsWalkedThroughOtherJobs(t *testing.T) {
	after := map[string][]string{
		"app-deploy": {"stage"}, "stage": {"scan", "app-package"}, "scan": {"stage"}, "app-package": {"app-test"}, "app-test": {},
	}
	require.Equal(t, []string{"app-package", "app-test", "scan", "stage"}, upstream(after, after["app-deploy"]), "and a circle ends")
	require.Empty(t, upstream(after, after["app-test"]))
}
