package fallback

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/storetest"
)

func TestAPlatformInPrimaryKeepsEveryRuleOfAStore(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Subject {
		p := newPlatform(t, 1, broken{})
		return storetest.Subject{
			Store: p.nodes[0].Store,
			Again: func(context.Context) (store.Store, error) {
				n := p.add(broken{})
				p.serveToo(n)
				return n.Store, nil
			},
		}
	})
}

func (p *platform) serveToo(n *node) {
	p.pass(2*testLease, p.nodes...)
	require.True(p.t, n.State().Serving)
}

func TestAPlatformGoesToS3AndComesHomeWithEverything(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	one, two := p.nodes[0], p.nodes[1]
	ctx := t.Context()
	_, err := one.write(ctx, "old", "of before", store.PutOptions{})
	require.NoError(t, err)
	require.Equal(t, "of before", two.read(ctx, "old"))
	p.leave()
	require.Equal(t, "503", one.read(ctx, "old"), "Ceph may know better")
	info, err := one.write(ctx, "new", "of meanwhile", store.PutOptions{})
	require.NoError(t, err)
	require.False(t, info.Replaced)
	require.Equal(t, "of meanwhile", two.read(ctx, "new"))
	p.comeBack()
	require.Equal(t, "of meanwhile", two.read(ctx, "new"))
	require.Equal(t, "of before", one.read(ctx, "old"))
	p.bringHome()
	require.Equal(t, "of meanwhile", one.read(ctx, "new"))
	stat, err := two.Stat(ctx, "new")
	require.NoError(t, err)
	require.Equal(t, info.ETag, stat.ETag)
	require.Equal(t, info.Modified, stat.Modified)
	require.EqualValues(t, 4, two.State().Epoch)
}
